"""What a report says: its sections, the slots of a template, and the uptake of each organ."""
