"""Metrics of recurring business: renewal rate, net and gross revenue retention."""

from salesops.metrics.metric import Metric

METRICS: tuple[Metric, ...] = ()
