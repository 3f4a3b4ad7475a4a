"""From an analysis to what goes into a paper: recipe, script, numbers, methods, checklists."""
