"""Metrics of money that came in against what was due, and of what is overdue."""

from salesops.metrics.metric import Metric

METRICS: tuple[Metric, ...] = ()
