"""What stands on each of the page's pages."""
