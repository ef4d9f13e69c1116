"""Ingestion jobs as durable workflows."""
