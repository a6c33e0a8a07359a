"""Follow: lay observations over the plan, and say what became of each packet. Pure."""
