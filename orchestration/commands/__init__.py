"""The commands of ``petlake``, one module a subject, imported only when used."""
