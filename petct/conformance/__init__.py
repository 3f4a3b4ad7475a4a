"""The external exams: petlake's numbers against values that others published or computed."""
