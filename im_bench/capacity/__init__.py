"""What to make of results: the highest rate a server sustains, whether a change is more than noise, how much to buy."""
