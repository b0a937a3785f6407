"""Every metric family, once: name, type, labels and help. Names are never built from data.

Collectors, dashboards, documents and tests take them from here. Help says the rule and the origin of a number, and
needs no other's beside it. Which question a family answers is said in `questions`.
"""

from typing import Final

from exporter.age_families import of_age, of_since_deploy, of_trend
from exporter.families import (
    COUNTER,
    FEATURE,
    FLEET,
    GAUGE,
    HISTOGRAM,
    MODEL,
    PROFILED,
    Family,
    of_segments,
    of_side,
)
from exporter.feedback_families import of_feedback
from exporter.fleet_families import of_fleet
from exporter.golden_families import of_golden
from exporter.loop_families import of_gap, of_loops, of_return, of_selection, of_spread
from exporter.retrain_families import of_retraining
from exporter.segment_families import of_segment_performance
from exporter.slice_families import of_search, of_worst
from exporter.truth_families import (
    of_business,
    of_concept,
    of_estimates,
    of_performance,
    of_target,
)
from exporter.version_families import of_versions
from exporter.witness_families import of_witness


def _model(name: str, kind: str, text: str, *labels: str) -> Family:
    return Family(f"model_{name}", kind, MODEL + labels, text)


def _self(name: str, kind: str, text: str, *labels: str) -> Family:
    return Family(f"inference_exporter_{name}", kind, labels, text)


def _fleet(name: str, text: str, *labels: str, kind: str = GAUGE) -> Family:
    return Family(f"model_fleet_{name}", kind, (*FLEET, *PROFILED, *labels), text)


# fmt: off
# --- the model: traffic

REQUESTS = _model("requests_total", COUNTER, "Requests answered by the model server, by HTTP status code, as the analyser counts them; health probes are left out.", "code")
REQUEST_DURATION = _model("request_duration_seconds", HISTOGRAM, "Time from a request's first byte to its answer's last one, where the code was 1xx to 3xx; health probes are left out.")
FAILED_DURATION = _model("failed_request_duration_seconds", HISTOGRAM, "Time from a request's first byte to its answer's last one, where the code was 4xx, 5xx or another: quick refusals do not hide slow answers, nor the other way round.")
REQUEST_SIZE = _model("request_size_bytes", HISTOGRAM, "Size of request bodies as sent, compressed ones compressed; health probes are left out.")
RESPONSE_SIZE = _model("response_size_bytes", HISTOGRAM, "Size of response bodies as sent, compressed ones compressed; health probes are left out.")
ROWS = _model("rows_total", COUNTER, "Rows of model input decoded, one per instance of a batch, of requests answered with 2xx.")
SERVED_ROWS = _model("served_rows_total", COUNTER, "Rows of model input served: those decoded, and an estimate of those that were not: for a body cut off or not copied by its size, else as many as a payload has on average. What was dropped uncounted is in neither.")
FAILED_ROWS = _model("failed_rows_total", COUNTER, "Rows of model input decoded of requests that failed, by class of code; they are in no window of the others.", "code")
WITHOUT_ID = _model("predictions_without_id_total", COUNTER, "Rows of predictions whose exchange has no request id: no truth that comes later can be joined to them.")
UNKNOWN_FIELDS = _model("unknown_field_values_total", COUNTER, "Values of decoded rows, not nulls, under names that the profile does not have.")
TOKENS = _model("tokens_total", COUNTER, "Tokens that a language model says it has read (prompt) and generated (completion), by `usage` in its answers.", "kind")
FINISHED = _model("generations_total", COUNTER, "Answers of a language model, by why the first choice ended: the API's words, and `other`.", "reason")
FIRST_BYTE = _model("stream_first_byte_seconds", HISTOGRAM, "Time from a request's first byte to its answer's first one, of a language model's answers that are streams (server-sent events).")
LAST_REQUEST = _model("last_request_timestamp_seconds", GAUGE, "Unix time at which the last request was answered; 0 before the first.")

# --- the model: server and identity

IN_FLIGHT = _model("requests_in_flight", GAUGE, "Requests whose answer is not complete at the moment; counted by the relay, health probes included. Of the whole server: the same under each of its models.")
SERVER_UP = _model("server_up", GAUGE, "Whether the model server accepted a TCP connection at the last probe (upstream_probe_interval); as all of the server the same under each of its models.")
SERVER_VISIBLE = _model("server_process_visible", GAUGE, "Whether the model server's process can be seen: same host and pid namespace, or --upstream-pid.")
SERVER_PROCESSES = _model("server_processes", GAUGE, "Processes of the model server: the one that listens and its descendants.")
SERVER_CPU = _model("server_cpu_seconds_total", COUNTER, "User and system CPU time of the model server's processes, as the operating system says it.")
SERVER_MEMORY = _model("server_resident_memory_bytes", GAUGE, "Resident memory of the model server's processes, as the operating system says it: shared pages counted once per process.")
SERVER_START = _model("server_start_time_seconds", GAUGE, "Unix time at which the model server's first process started.")
MODEL_INFO = _model("info", GAUGE, "1; the model that is watched, and the version of the exporter that watches it.", "exporter_version")
OWNER = _model("owner_info", GAUGE, "1; whose the model is (setting model.owner), by which its alerts are routed. Absent where nobody has said it.", "owner")
TRAINED = _model("trained_timestamp_seconds", GAUGE, "Unix time at which the model was trained, where the profile says it.")
PROFILE_INFO = Family("model_profile_info", GAUGE, (*PROFILED, "profile_version", "source"), "1; the reference profile in force, the version of the model that it names, and what it was made of.")
PROFILE_ROWS = Family("model_profile_rows", GAUGE, PROFILED, "Rows of training data that the profile was built of.")
PROFILE_TIME = Family("model_profile_timestamp_seconds", GAUGE, PROFILED, "Unix time of the newest row of the training data; where these have no column of time, of the training. Absent where the profile says neither.")
PROFILE_PROVISIONAL = Family("model_profile_provisional", GAUGE, PROFILED, "Whether the profile was made of live traffic, because there was no other: drift from it says nothing about the training.")
PROFILE_OTHER_VERSION = Family("model_profile_version_mismatch", GAUGE, PROFILED, "Whether settings or traffic name another version of the model than the profile does; absent where either names none.")
PROFILE_INFLUENCED = Family("model_profile_influenced_ratio", GAUGE, PROFILED, "Share of the training data that the model itself had influenced, by the flag column of the build.")
TRAINING_PERFORMANCE = Family("model_training_performance", GAUGE, (*PROFILED, "measure"), "Performance at the training as the profile has it, by the measure's name there.")
PROFILE_PAYLOADS = Family("model_profile_payloads_total", COUNTER, (*PROFILED, "side"), "Decoded payloads held against the profile's columns, of requests answered with 2xx.")
PROFILE_MISMATCHED = Family("model_profile_mismatched_payloads_total", COUNTER, (*PROFILED, "side"), "Decoded payloads with fewer than half of the profile's columns that should be there, or with another number of columns where they have no names. Nothing of them is scored.")
PROFILE_FIELDS = Family("model_profile_fields_total", COUNTER, (*PROFILED, "side"), "Columns that the profile has, once for each decoded payload that was held against it.")
PROFILE_MATCHED_FIELDS = Family("model_profile_matched_fields_total", COUNTER, (*PROFILED, "side"), "Columns of the profile that decoded payloads had: beside model_profile_fields_total the share that fits.")
PROFILE_UNREADABLE = Family("model_profile_unreadable_columns", GAUGE, PROFILED, "Columns of the profile whose categories are hashed under a salt that `salt_file` does not hold: nothing in them is counted.")
WINDOW_START = Family("model_window_start_timestamp_seconds", GAUGE, (*PROFILED, "window"), "Unix time since which the window has values: the beginning of its oldest pane that holds any; absent while it is empty.")


FEATURES = of_side(FEATURE, FEATURE)
OUTPUTS = of_side("prediction", "output")

# --- evidence of drift, which pages

EVIDENCE = Family("model_drift_evidence_nats", GAUGE, PROFILED, "Evidence that a feature or output has drifted: page where it reaches model_drift_evidence_threshold_nats, whenever that is, and until it is 3 nats below. Then there is on average at most one false page per 30 days per model (evidence.false_page_every), however many features and however often evaluated, while fewer than 3 % of requests change bucket (evidence.tolerance; beyond what the reference may be off and hours differ), provided related requests are grouped or covered by the dependence factor. Logarithm of the mean capital of bets on clipped likelihood ratios, over columns and ways to drift; 0 where none has won. Of a fleet: ln(avg(exp())).")
EVIDENCE_THRESHOLD = Family("model_drift_evidence_threshold_nats", GAUGE, PROFILED, "What model_drift_evidence_nats must reach to page: logarithm of the number of panes between two false pages, on average, at least (evidence.false_page_every).")
SLOW_EVIDENCE = Family("model_slow_drift_evidence_nats", GAUGE, PROFILED, "Evidence of slow drift, which makes a ticket where it reaches model_slow_drift_evidence_threshold_nats: as model_drift_evidence_nats, but with half the tolerance and hours instead of panes, and at most one in vain in 90 days (evidence.false_ticket_every).")
SLOW_EVIDENCE_THRESHOLD = Family("model_slow_drift_evidence_threshold_nats", GAUGE, PROFILED, "What model_slow_drift_evidence_nats must reach to make a ticket: logarithm of the number of hours between two in vain, on average, at least (evidence.false_ticket_every).")
EVIDENCE_READY = Family("model_drift_evidence_ready", GAUGE, PROFILED, "Whether evidence rests on what was measured: of each column the profile or the overrides say how many rows come as one, or traffic has been watched for evidence.learn. Until then careful defaults hold, with which pages are as rare and drift is found later: model_feature_drift_defaults_info.")
EVIDENCE_INFO = Family("model_drift_evidence_info", GAUGE, (*PROFILED, "stage"), "1; how much traffic has shown. `careful`: nothing yet; `settled`: what a warm-up does, how many rows come as one and whether training and serving differ; `learned`: how hours differ, too.")
EVIDENCE_PAUSED = Family("model_drift_evidence_paused", GAUGE, PROFILED, "Whether no evidence is gathered, because of a planned event (evidence.planned); afterwards it begins anew.")
EVIDENCE_SINCE = Family("model_drift_evidence_since_timestamp_seconds", GAUGE, PROFILED, "Unix time since which traffic has been watched for evidence.")
EXPECTED_DELAY = Family("model_drift_expected_delay_seconds", GAUGE, (*PROFILED, "total_variation"), "How soon model_drift_evidence_nats would page if so large a share of one feature's values (`total_variation`) changed bin now, at the traffic of the last hour: expected, for the median feature. Absent without traffic, and where it never would.")

# --- late truth

PERFORMANCE = of_performance()
CONCEPT = of_concept()
TARGET = of_target()
ESTIMATED = of_estimates()
BUSINESS = of_business()
FEEDBACK = of_feedback()
AGE = of_age()
TREND = of_trend()
FEATURES_SINCE_DEPLOY = of_since_deploy(FEATURE, FEATURE)
OUTPUTS_SINCE_DEPLOY = of_since_deploy("prediction", "output")
WORST = of_worst()
SEARCH = of_search()

# --- feedback loops

SPREAD, SELECTED, RETURNED, GAP, LOOPS = of_spread(), of_selection(), of_return(), of_gap(), of_loops()
GOLDEN = of_golden()

# --- versions that are there together

VERSIONS = of_versions()
RETRAIN = of_retraining()
WITNESS = of_witness()

# --- what the model needs beside its server

_DEPENDENCY: Final = ("dependency",)
DEPENDENCY_UP = _model("dependency_up", GAUGE, "Whether the last probe of a dependency reached it: a TCP connection was accepted, or an HTTP request answered with a code of `expect`, its body or the first 64 KiB of it included, all within `timeout`. As seen from this exporter, the same under each of its models; absent before the first probe.", *_DEPENDENCY)
DEPENDENCY_DURATION = _model("dependency_probe_duration_seconds", GAUGE, "Time the last probe of a dependency took, from looking up the name to the answer's end or the failure; of one that hangs the time after which it was given up.", *_DEPENDENCY)
DEPENDENCY_SUCCESS = _model("dependency_last_success_timestamp_seconds", GAUGE, "Unix time at which a probe reached the dependency last; 0 before the first time.", *_DEPENDENCY)
DEPENDENCY_PROBES = _model("dependency_probes_total", COUNTER, "Probes of a dependency that ended or were given up, since the exporter's start or since the dependency was set otherwise.", *_DEPENDENCY)
DEPENDENCY_FAILURES = _model("dependency_probe_failures_total", COUNTER, "Probes of a dependency that failed, by reason: `dns` (its name was not found, or not in time), `refused` (nothing listens), `timeout` (no connection, or not the whole answer in time), `unreachable` (no way there), `tls` (handshake or certificate), `protocol` (cut off, or not HTTP), `status` (another code than expected), `local` (no probe could be made here: a file of a secret or certificate cannot be read, no descriptors).", *_DEPENDENCY, "reason")
DEPENDENCY_EXPIRY = _model("dependency_certificate_expiry_timestamp_seconds", GAUGE, "Unix time at which the certificate that an https:// dependency showed last is no longer valid; absent where none was verified.", *_DEPENDENCY)

# --- features of failed requests

_FAILED: Final = (*PROFILED, "feature")
FAILED_BINS = Family("model_feature_failed_bin_total", COUNTER, (*_FAILED, "bin", "code"), "Values in requests that failed, by bin of the profile and class of code; bins that never had any are left out.")
FAILED_SAMPLES = Family("model_failed_window_samples", GAUGE, (*PROFILED, "window", "code"), "Failed rows in the window, whose beginning moves in steps of a twelfth of its length; a request that fails again within a pane's width is in it once. What is compared with successful rows is absent where there are none of either.")
FAILED_VARIATION = Family("model_feature_failed_total_variation", GAUGE, (*_FAILED, "window", "code"), "How much the values of failed requests differ from those of successful ones in the same window: half the sum of |p-r|.")
FAILED_CRITICAL = Family("model_feature_failed_total_variation_critical", GAUGE, (*_FAILED, "window", "code"), "What the largest total variation between failed and successful requests, of all features, exceeds at most once in 1000 windows of this very size if failing has nothing to do with the values.")
FAILED_EXCESS = Family("model_feature_failed_bin_excess_ratio", GAUGE, (*_FAILED, "bin", "window", "code"), "The bin that failed requests have most beyond successful ones: share of the failed values in it minus share of the successful ones. Only of features beyond the critical value.")

# --- segments of the traffic

_SEGMENT: Final = (*PROFILED, "segment", "value")
SEGMENT_ROWS = Family("model_segment_rows_total", COUNTER, _SEGMENT, "Rows of model input by segment, as segments.by divides the traffic, of requests answered with 2xx. `other`: rows of any value that is no segment of its own; `missing`: rows that do not say.")
SEGMENT_REFERENCE_ROWS = Family("model_segment_reference_rows", GAUGE, _SEGMENT, "Rows of training data of the segment, as `profile build --segment` counted them. Absent where it did not: then the segment is counted, and not scored.")
SEGMENT_FEATURES = of_segments("feature", "feature")
SEGMENT_OUTPUTS = of_segments("prediction", "output")
SEGMENT_PERFORMANCE = of_segment_performance()

# --- rows that belong together

GROUPED_ROWS = Family("model_grouped_rows_total", COUNTER, (*PROFILED, "row"), "Rows of requests answered with 2xx, where evidence.group_key says which belong together: `first`, the first of its group, which is held against the reference as evidence; `again`, of a group that was seen within the last half hour to hour; `unknown`, whose group nobody can tell, because there is no room for more than 65536 of them or because the answer's request could not be read.")

# --- the exporter itself

BUILD_INFO = _self("build_info", GAUGE, "1; the versions of the exporter and of its Python, and whether its request path is compiled to C (`yes`, `no`).", "version", "python", "compiled")
COLLECTOR_SUCCESS = _self("collector_success", GAUGE, "Whether a part of this page could be made, by collector; if not, its families are missing.", "collector")
PAGE_SERIES = _self("page_series", GAUGE, "Series of this page: lines that are no comment, without those of the model server's own (merge.upstream_metrics).")
MAX_SERIES = _self("max_series", GAUGE, "Series that a page may have: metrics.max_series, or metrics.sample_limit where that is less.")
DROPPED_SERIES = _self("dropped_series", GAUGE, "Series that the page has no room for, by family: as many as were expected of it, all windows filled. Whole families are left out first, in the order of docs/series.md, then columns. What settings switch off is not among them.", "family")
START = _self("start_time_seconds", GAUGE, "Unix time at which the supervisor started: the exporter's own start.")
PROFILE_LOADED = _self("profile_loaded", GAUGE, "Whether any model has a reference profile; without one no feature is scored.")
MODELS = _self("models", GAUGE, "Models and versions that are watched, by what they are compared with: `profile`, or `none`.", "reference")
UNATTRIBUTED = _self("unattributed_exchanges_total", COUNTER, "Exchanges counted for the model `_other`, by reason: a name that can be no label, a model that no answered prediction has made known, no room within models.limit, or none within analyser.memory_limit.", "reason")
PROFILE_ERRORS = _self("profile_errors_total", COUNTER, "Profiles that could not be had or used, at each look into a store, and files once until they change; the profile before stays in force. A place that is empty is none of these.")
PROFILE_FOUND = _self("profile_last_look_successful", GAUGE, "Whether a usable profile was in its place at the last look; left out where each model has its own.")
PROFILE_FOUND_TIME = _self("profile_last_look_success_timestamp_seconds", GAUGE, "Unix time of the last look at the profile's place that found a usable one; 0 before that.")
PROFILE_KEPT = _self("profile_kept_copy", GAUGE, "Whether the profile in force is the copy that an earlier run kept, because its place has not given one since the start.")
OBSERVING = _self("observing", GAUGE, "0 while observation is switched off (POST /-/observe); traffic is relayed all the same.")
OFFERED = _self("exchanges_offered_total", COUNTER, "Complete exchanges on observable connections: observed + dropped + what waits in the rings.")
OBSERVED = _self("exchanges_observed_total", COUNTER, "Exchanges that the analyser took from the rings and counted.")
DROPPED = _self("exchanges_dropped_total", COUNTER, "Exchanges that were relayed but not counted, by reason: ring_full, worker_lost, analyser_lost, corrupt.", "reason")
BODIES_SHED = _self("bodies_shed_total", COUNTER, "Exchanges whose bodies were dropped, to stay within memory or by lot when a ring was filling; all else of them is counted.", "reason")
SAMPLING = _self("sampling_ratio", GAUGE, "Share of bodies that travel to the analyser: less than 1 while a ring is more than half full; of the last exchange.", "process")
RING_QUEUED = _self("ring_queued_bytes", GAUGE, "Bytes waiting in the rings between relay and analyser.")
RING_FILL = _self("ring_fill_ratio", GAUGE, "Highest share of a worker's ring that was in use since the last scoring.", "process")
RING_SIZE = _self("ring_size_bytes", GAUGE, "Size of the rings between relay and analyser, all workers' together.")
PAYLOADS_OFFERED = _self("payloads_offered_total", COUNTER, "Sides of exchanges that should hold model input or output: decoded + undecoded.", "side")
PAYLOADS_DECODED = _self("payloads_decoded_total", COUNTER, "Sides of exchanges that should hold model input or output and were understood.", "side")
PAYLOADS_PARTIAL = _self("payloads_truncated_total", COUNTER, "Decoded payloads that were longer than capture.max_body or cut off: only the complete rows at their beginning were counted.", "side")
PARTIAL_ROWS = _self("truncated_rows_total", COUNTER, "Rows decoded from the beginning of payloads that were longer than capture.max_body or cut off; the first rows of a batch, which may differ from its last.", "side")
PAYLOADS_UNDECODED = _self("payloads_undecoded_total", COUNTER, "Sides of exchanges that should hold model input or output and were not understood, by reason and by the protocol of their request; protocols that were never met are left out.", "side", "reason", "protocol")
PROBES = _self("probe_requests_total", COUNTER, "Health probes seen, by their path (capture.probe_paths) or who sent them; they are no model requests.")
CONNECTIONS = _self("proxy_connections_total", COUNTER, "Client connections that the relay accepted, by worker.", "worker")
CONNECTIONS_OPEN = _self("proxy_connections_open", GAUGE, "Client connections of the relay that are open, by worker.", "worker")
CONNECT_ERRORS = _self("proxy_connect_errors_total", COUNTER, "Client connections that got a 502 of ours, because the model server could not be reached.")
ACCEPT_ERRORS = _self("proxy_accept_errors_total", COUNTER, "Times the relay could not let a client in, by reason; out of descriptors or memory it waits and is let in later.", "reason")
CLOSED = _self("proxy_closed_connections_total", COUNTER, "Client connections that the relay itself ended: a 503 over max_connections, a head slower than head_timeout.", "reason")
PROXY_BYTES = _self("proxy_relayed_bytes_total", COUNTER, "Bytes relayed, heads and bodies, by whom they went to: `server` or `client`.", "to")
UNOBSERVABLE = _self("proxy_unobservable_connections_total", COUNTER, "Connections relayed unread from some point on, by reason.", "reason")
INCOMPLETE = _self("proxy_incomplete_exchanges_total", COUNTER, "Exchanges cut off by the end of their connection, by who ended it.", "ended_by")
PROXY_REQUESTS = _self("proxy_requests_total", COUNTER, "Exchanges counted by the relay itself, by HTTP status code, health probes included.", "code")
PROXY_DURATION = _self("proxy_request_duration_seconds", HISTOGRAM, "Time from a request's first byte to its answer's last one, counted by the relay itself, health probes and all codes included.")
HOP = _self("proxy_hop_seconds", HISTOGRAM, "Time from being handed bytes by the event loop to having passed them on to the kernel, one read in 61; waiting for the loop and the kernel's own work are not in it.")
OBSERVER_CPU = _self("observer_cpu_seconds_total", COUNTER, "CPU time of observation by the relay, estimated from one look in seven.", "process")
HEARTBEAT = _self("heartbeat_timestamp_seconds", GAUGE, "Unix time of the last sign of life of the analyser and each worker, which the supervisor watches.", "process")
SNAPSHOT_TIME = _self("snapshot_timestamp_seconds", GAUGE, "Unix time at which the scores shown were made.")
SNAPSHOT_DURATION = _self("snapshot_duration_seconds", GAUGE, "Time that the last scoring and the making of this page took; what is shown is of the one before.")
PROCESS_CPU = _self("process_cpu_seconds_total", COUNTER, "User and system CPU time of our own processes, as the operating system says it.", "process")
PROCESS_MEMORY = _self("process_resident_memory_bytes", GAUGE, "Resident memory of our own processes, as the operating system says it; memory that they share counts in each.", "process")
PROCESS_START = _self("process_start_time_seconds", GAUGE, "Unix time at which our own processes started.", "process")
RESTARTS = _self("process_restarts_total", COUNTER, "Times a process of ours was started again, by why it had ended: exited, signalled, hung or memory.", "process", "reason")
RELOAD_SUCCESSFUL = _self("config_last_reload_successful", GAUGE, "Whether the settings read last are in force; if not, those before them are.")
RELOAD_TIME = _self("config_last_reload_success_timestamp_seconds", GAUGE, "Unix time at which the settings in force were read.")
STATE_RESTORED = _self("state_restored", GAUGE, "Whether the windows went on with what an earlier run had kept in the state directory.")
STATE_TIME = _self("state_kept_timestamp_seconds", GAUGE, "Unix time of the windows last written to the state directory; 0 before that.")
STATE_SIZE = _self("state_kept_bytes", GAUGE, "Size of the files in the state directory that the windows are in, one for each model.")
STATE_ERRORS = _self("state_errors_total", COUNTER, "Times the windows could not be written to the state directory or read from it, by reason; they go on in memory.", "reason")
EVENTS_RECEIVED = _self("events_received_total", COUNTER, "Events posted to /events: observed + dropped + waiting. A POST that cannot be read counts as one.")
EVENTS_OBSERVED = _self("events_observed_total", COUNTER, "Events that the analyser counted, by what they were part of: both halves of a whole exchange, or a request or response alone, whose other half never came.", "part_of")
EVENTS_DROPPED = _self("events_dropped_total", COUNTER, "Events that were not counted, by reason; of malformed, too_large, too_slow and busy ones the sender was told.", "reason")
EVENTS_WAITING = _self("events_waiting", GAUGE, "Events that wait for their other half or to be looked at.")
UPSTREAM_METRICS_UP = _self("upstream_metrics_up", GAUGE, "Whether the model server's own metrics (merge.upstream_metrics) are on this very page: they are fetched when it is asked for, once for all who ask within a second.")
UPSTREAM_METRICS_DURATION = _self("upstream_metrics_duration_seconds", GAUGE, "Time that fetching and checking the model server's own metrics took for this page; where they are not on it, how long they were waited for.")
UPSTREAM_METRICS_SERIES = _self("upstream_metrics_series", GAUGE, "Series of the model server's own metrics on this page; they count among a scrape's sample_limit as ours do.")
UPSTREAM_METRICS_ERRORS = _self("upstream_metrics_errors_total", COUNTER, "Times that nothing of the model server's own metrics was passed on, by reason: the server was `unreachable`, or gave no whole answer in time (`timeout`), another `status` than 200, a `format` that is none or that the scraper does not take, an `encoding` that is none, more than merge.max_size (`too_large`), no proper HTTP (`protocol`), a page without an end (`cut_off`); the scraper could not wait for it (`late`); or another fault (`other`).", "reason")
UPSTREAM_METRICS_REFUSED = _self("upstream_metrics_refused_total", COUNTER, "Families of the model server's own metrics that were not passed on, counted each time they are fetched, by reason: a name of ours or of Prometheus (`clash`), a family or series that is there twice (`duplicate`), a line that could fail the scrape (`malformed`), no room within merge.max_series (`too_many`). The log names each once.", "reason")
WEB_REFUSED = _self("web_refused_total", COUNTER, "Requests on the web address that were refused, and connections that were let go, by reason: asked for by a foreign name (host), posted by a browser's page (origin), rate_limit, a wrong password or token, no password looked at because too many were wrong (password_put_off), a failed handshake (tls), too slow a head, answer or handshake (slow), more than 256 connections (crowded), or because the file of web.config_file cannot be used and none was in force before (unserved).", "reason")
WEB_CONFIG_SUCCESSFUL = _self("web_config_last_reload_successful", GAUGE, "Whether the file of web.config_file, and its certificates, are in force as they were read last; if not, those before them are. Absent without the file.")
WEB_CONFIG_TIME = _self("web_config_last_reload_success_timestamp_seconds", GAUGE, "Unix time at which the file of web.config_file that is in force was read; 0 where none is, and nobody is served. Absent without the file.")
WEB_CERTIFICATE = _self("web_certificate_expiry_timestamp_seconds", GAUGE, "Unix time at which the certificate in force on the web address expires; absent without TLS.")
LOG_LINES_LOST = _self("log_lines_lost_total", COUNTER, "Log lines that a process of ours did not write, because standard error took none.", "process")
PROVISIONAL_ROWS = _self("provisional_rows", GAUGE, "Rows collected so far for the provisional reference of a model that has no profile, of provisional.rows; absent where it has one.", "model", "model_version")

# --- a whole fleet, as `inference-exporter fleet` shows it

FLEET_EVIDENCE = _fleet("drift_evidence_nats", "Evidence of drift in the counts of all replicas together, nats; it pages where it reaches the threshold. By default on average at most one false page per 30 days per model, however many features and replicas and however often evaluated, while fewer than 3 % of requests change bucket, provided related requests are covered by the dependence factor.")
FLEET_THRESHOLD = _fleet("drift_evidence_threshold_nats", "What model_fleet_drift_evidence_nats must reach to page: the logarithm of the panes between two false pages (evidence.false_page_every).")
FLEET_SLOW_EVIDENCE = _fleet("slow_drift_evidence_nats", "Evidence of slow drift in the counts of all replicas together, hour by hour and with half the tolerance; a ticket where it reaches model_fleet_slow_drift_evidence_threshold_nats.")
FLEET_SLOW_THRESHOLD = _fleet("slow_drift_evidence_threshold_nats", "What model_fleet_slow_drift_evidence_nats must reach to make a ticket: the logarithm of the hours between two false tickets (evidence.false_ticket_every).")
FLEET_READY = _fleet("drift_evidence_ready", "Whether dependence and differences between hours of every column are measured: by the profile, by `profile calibrate`, or by traffic for evidence.learn. Before that careful defaults hold.")
FLEET_PAUSED = _fleet("drift_evidence_paused", "Whether no evidence of the fleet is gathered, because of a planned event (evidence.planned).")
FLEET_SINCE = _fleet("drift_evidence_since_timestamp_seconds", "Unix time since which the fleet's traffic has been watched for evidence.")
FLEET_DELAY = _fleet("drift_expected_delay_seconds", "How long it takes at the traffic of late until a shift of so much total variation in one feature pages, on average over shifts; of half of the features at least. Absent where it never would.", "total_variation")
FLEET_REPLICAS = _fleet("replicas", "Exporters of the fleet that Prometheus had at the end of the last pane.")
FLEET_ROWS = _fleet("rows_total", "Rows that were counted in panes of the fleet: of the column that has most. A little less than the replicas' own, see docs/fleet.md; if it stands still while theirs do not, their series lack the labels of their start time.", kind=COUNTER)
FLEET_FEATURES = of_fleet("feature", "feature")
FLEET_OUTPUTS = of_fleet("prediction", "output")

FLEET_PANE = _self("fleet_pane_timestamp_seconds", GAUGE, "Unix time of the end of the last pane for which Prometheus was asked and answered; before the first the start.")
FLEET_PANES_SKIPPED = _self("fleet_panes_skipped_total", COUNTER, "Panes that were left out, because they were over for more than catch_up panes when Prometheus could be asked again.")
FLEET_FAILED = _self("fleet_queries_failed_total", COUNTER, "Times Prometheus was asked in vain, by reason: access (a file of a secret cannot be read), answer (none, or an error); or with less than all it should have: partial (it warned, as Thanos does of stores that are down).", "reason")
FLEET_MODELS = _self("fleet_models", GAUGE, "Fleets that are watched now, by model, version, profile and the labels they are told apart by.")
FLEET_LEFT_OUT = _self("fleet_models_left_out", GAUGE, "Fleets that are not watched, because there are more than the limit.")
# fmt: on


def families() -> tuple[Family, ...]:
    """Every family, in the order of this file."""
    found: list[Family] = []
    for item in globals().values():
        if isinstance(item, Family):
            found.append(item)
        elif isinstance(item, tuple):
            for part in item:
                found += [part] if isinstance(part, Family) else part.values() if isinstance(part, dict) else []
    return tuple(found)
