"""The words and rules of ceasefire monitoring, as values and functions over them."""
