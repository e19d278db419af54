"""The numbers of this service. Every label has few values: kinds, writers, classes of errors."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

GENERATIONS: Final = Counter(
    "rf_note_generator_generations_total", "Documents written", ("kind", "generator", "reason")
)
GENERATION_SECONDS: Final = Histogram(
    "rf_note_generator_generation_seconds",
    "Time to write one document",
    ("generator",),
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 20, 40),
)
LOOKUPS: Final = Counter("rf_note_generator_cache_lookups_total", "Documents asked of the cache", ("result",))
CHANGES: Final = Counter("rf_note_generator_changes_total", "State changes received")
WAITING: Final = Gauge("rf_note_generator_waiting_sessions", "Changed sessions that are not written yet")
OUTAGES: Final = Counter("rf_note_generator_outages_total", "Attempts that ended in an outage", ("what",))
SET_ASIDE: Final = Counter(
    "rf_note_generator_set_aside_total", "Messages given to the ladder or parked", ("where",)
)
# An alert sees a counter rise only from where it has seen it before.
for _where in ("ladder", "parked"):
    SET_ASIDE.labels(_where)
PREVIEW_SECONDS: Final = Histogram(
    "rf_note_generator_preview_seconds",
    "Time to answer a preview",
    ("status",),
    buckets=(0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 20, 40, 60),
)
LLM_CALLS: Final = Counter("rf_note_generator_llm_calls_total", "Calls of the model", ("result",))
LLM_TOKENS: Final = Counter("rf_note_generator_llm_tokens_total", "Tokens of the model", ("direction",))
LLM_COST: Final = Counter("rf_note_generator_llm_cost_usd_total", "What the model cost, in US dollars")
VIOLATIONS: Final = Counter(
    "rf_note_generator_violations_total", "What the checks found in the model's texts", ("check",)
)
LLM_SAVED: Final = Counter("rf_note_generator_llm_saved_total", "Documents that cost no call", ("why",))
