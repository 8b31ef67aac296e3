"""Look inside any file of a world: what it says, what it holds, pictures of it."""
