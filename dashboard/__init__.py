"""The Streamlit dashboard on a published snapshot: pages hold what is shown, the modules beside them the rest."""
