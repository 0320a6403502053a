"""Metrics of open deals: coverage, velocity, silence, ageing and what can be believed."""

from salesops.metrics.metric import Metric

METRICS: tuple[Metric, ...] = ()
