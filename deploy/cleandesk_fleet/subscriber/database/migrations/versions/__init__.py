"""One module for each version of the log; what was released is never changed."""
