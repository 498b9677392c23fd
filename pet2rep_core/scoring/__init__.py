"""How near a generated report is to the reference: language scores and clinical efficacy, each signed."""
