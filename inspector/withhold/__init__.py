"""Take out of a recording what others need not know, so that its report still holds. Pure."""
