"""The edges of the workers' histograms. The gateway counts by the same ones, for the percentiles of Prometheus."""

# On the objectives: a frame in 5 ms, a second's worth of frames on a core, the half second that a viewer may wait and
# the two seconds after which a live frame is worth nothing.
STAGE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
"""Of cv_processing_seconds and cv_stage_seconds."""
AGE_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 60)
"""Of cv_frame_age_seconds."""
