// Streamlit would look for its server at each part of the page's path, and report those that are not there as errors.
window.__streamlit = { BACKEND_BASE_URL: `${location.origin}/` };
