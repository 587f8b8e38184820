"""The pages for people: a gate and sign-in pages, and Streamlit behind them. All data comes from the API."""
