"""Parts of a manuscript: methods, sentences of results, checklists, table one."""
