"""The page of the conformance exams."""
