"""Long work that runs in the background: jobs with their progress, and the exports that they make."""
