"""The tests: one folder for each package, `architecture` for what holds of the project as a whole."""
