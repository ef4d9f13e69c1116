"""Traces, runs, metrics and logs; none of them may slow or break a request."""
