"""Services as containers, through the very commands that a person would type."""
