"""The families of versions of one model that are there together."""

from typing import Final, NamedTuple

from exporter.families import COUNTER, GAUGE, HISTOGRAM, MODEL, PROFILED, Family

_OUTPUT: Final = (*PROFILED, "output", "window")
_AGAINST: Final = (*PROFILED, "output", "against", "window")
_CLASS: Final = (*PROFILED, "output", "class", "against", "window")
_MEASURE: Final = (*MODEL, "measure", "against", "window")


class VersionFamilies(NamedTuple):
    """All of them."""

    info: Family
    mean: Family
    deviation: Family
    samples: Family
    mean_difference: Family
    mean_critical: Family
    share_difference: Family
    share_critical: Family
    performance: Family
    performance_lower: Family
    performance_upper: Family
    shadow_requests: Family
    shadow_rows: Family
    shadow_duration: Family


# fmt: off
def of_versions() -> VersionFamilies:
    """As the catalogue has them."""
    return VersionFamilies(
        Family("model_version_info", GAUGE, (*MODEL, "role", "by"), "1; what the version is among those of its model that this exporter watches. `role`: stable, canary (any other) or shadow (copies of requests, versions.shadow_header). `by`: who says which one is stable: settings (versions.stable), profile (it is the one that the profile in force names), or first (it came first)."),
        Family("model_prediction_mean", GAUGE, _OUTPUT, "Mean of an output's finite numbers in the window, in its own unit. Of several replicas: sum(mean * samples) / sum(samples), with model_prediction_mean_samples."),
        Family("model_prediction_standard_deviation", GAUGE, _OUTPUT, "Standard deviation of an output's finite numbers in the window, with n - 1, in its own unit."),
        Family("model_prediction_mean_samples", GAUGE, _OUTPUT, "Finite numbers of an output in the window: the n of its mean."),
        Family("model_version_prediction_mean_difference", GAUGE, _AGAINST, "Mean of an output less that of the stable version (`against`) in the same window, in the output's unit; both have windows.minimum_samples, whether or not they have one profile. Beyond its _critical it is no chance."),
        Family("model_version_prediction_mean_difference_critical", GAUGE, _AGAINST, "What the size of the difference of means exceeds about once in 1000 windows of these very sizes where versions answer alike (Welch). Where a profile has a dependence factor, so many rows count as one."),
        Family("model_version_prediction_share_difference_ratio", GAUGE, _CLASS, "Share of a class among the answers less that of the stable version (`against`) in the same window: of the class that differs most beyond chance."),
        Family("model_version_prediction_share_difference_ratio_critical", GAUGE, _CLASS, "What the size of the difference of the largest class exceeds at most about once in 1000 windows of these very sizes where versions answer alike: adjusted for as many classes as there are."),
        Family("model_performance_difference", GAUGE, _MEASURE, "A measure of performance less that of the stable version (`against`), by truths that came in the window; both have enough of them (performance.minimum_samples). `measure`: the word in model_performance_*."),
        Family("model_performance_difference_lower", GAUGE, _MEASURE, "Lower end of the interval that has the true difference of performance 95 times of 100, the versions' truths being independent (Zou and Donner)."),
        Family("model_performance_difference_upper", GAUGE, _MEASURE, "Upper end of the interval that has the true difference of performance 95 times of 100, the versions' truths being independent (Zou and Donner)."),
        Family("model_shadow_requests_total", COUNTER, (*MODEL, "code"), "Copies of requests that were answered (versions.shadow_header), by HTTP status code. Nobody got these answers: they are in no other count of requests."),
        Family("model_shadow_rows_total", COUNTER, MODEL, "Rows of model input decoded of copies of requests that were answered with 2xx; they are in no other count of rows."),
        Family("model_shadow_request_duration_seconds", HISTOGRAM, MODEL, "Time from the first byte of a request's copy to its answer's last one, where the code was 1xx to 3xx."),
    )  # fmt: skip
# fmt: on
