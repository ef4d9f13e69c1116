"""Answers kept in Redis, served only while their evidence holds."""
