"""How a run takes place: a coordinator, the generator processes it spawns, and the steps they take together."""
