"""Clinical cells as typed values, and the endpoints made of them."""
