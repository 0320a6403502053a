"""Metrics of leads: how many become customers, and how fast they are answered."""

from salesops.metrics.metric import Metric

METRICS: tuple[Metric, ...] = ()
