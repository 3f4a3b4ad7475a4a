"""What every refusal is: the error with a code that domain and store share; it lies below both."""
