"""Metrics of how the CRM is kept: entry rate, logging lag, pushes and hand-overs."""

from salesops.metrics.metric import Metric

METRICS: tuple[Metric, ...] = ()
