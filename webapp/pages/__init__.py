"""Pages of the shell: one's own account, the staff, jobs, packs, the home page."""
