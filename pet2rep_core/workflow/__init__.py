"""One file per thing a person does: import, inspect, open, generate, score, rate, export. No Streamlit."""
