"""What many rules say in the same words, written into them as `<<text.NAME>>`.

Templates of Prometheus (Go's text/template with its own functions), each to stand in a block scalar.
"""

from typing import Final

from exporter.rules import checks, measures, rollouts

PHRASES: Final = {
    **checks.PHRASES,
    **measures.PHRASES,
    **rollouts.PHRASES,
    # $l and $of: the labels of an alert about a model, and the matchers that find its series.
    "of_model": """\
{{- $l := $labels }}
{{- $of := printf "cluster=%q,namespace=%q,job=%q,model=%q" $l.cluster $l.namespace $l.job $l.model }}""",
    "of_version": """\
{{- $l := $labels }}
{{- $of := printf "cluster=%q,namespace=%q,job=%q,model=%q,model_version=%q"
$l.cluster $l.namespace $l.job $l.model $l.model_version }}""",
    "of_profile": """\
{{- $l := $labels }}
{{- $of := printf "cluster=%q,namespace=%q,job=%q,model=%q,model_version=%q,profile=%q"
$l.cluster $l.namespace $l.job $l.model $l.model_version $l.profile }}""",
    # Whose the model is, by $labels, as it is said now, or was last where no replica is left; a column's own owner comes
    # first. Never empty: Prometheus' series ALERTS would have the template itself for an empty label.
    "owner": """\
{{- $of := printf "cluster=%q,namespace=%q,job=%q,model=%q"
$labels.cluster $labels.namespace $labels.job $labels.model }}
{{- with $labels.owner }}{{ . }}{{ else }}
{{- $owners := "count by (owner) (model_owner_info{%[1]s}) or on () count by (owner) (last_over_time(model_owner_info{%[1]s}[1d]))" }}
{{- range printf (print "topk(1, " $owners ")") $of | query }}{{ .Labels.owner }}{{ else }}<<owners.default>>{{ end }}{{ end }}""",
    # Needs $l. What is meant, as people say it: "Model churn 7 (models, namespace shop)".
    "the_model": """\
Model {{ $l.model }}{{ with $l.model_version }} {{ . }}{{ end }} ({{ $l.job }}
{{- with $l.namespace }}, namespace {{ . }}{{ end }}
{{- with $l.cluster }}, cluster {{ . }}{{ end }})""",
    # Expressions. Windows that hold enough values to be judged, of features and outputs; and of these the shortest of each
    # column: what is so now. All windows end now, so the one with fewest values begins last.
    "sufficient": "(model_feature_window_sufficient == 1 or model_prediction_window_sufficient == 1)",
    "freshest": """\
(
    (model_feature_window_samples or model_prediction_window_samples)
  == ignoring (window) group_left ()
    min without (window) ((model_feature_window_samples or model_prediction_window_samples) and <<text.sufficient>>)
)""",
    # Labels of an alert that tells of columns: it is about these that have one owner and one severity.
    "model_labels": "cluster, namespace, job, model, model_version, profile",
    "model_owners": """\
topk by (cluster, namespace, job, model) (
  1,
    count by (cluster, namespace, job, model, owner) (model_owner_info)
  or on (cluster, namespace, job, model)
    count by (cluster, namespace, job, model, owner) (last_over_time(model_owner_info[1d]))
)
> bool 0""",
    # How many columns an alert is about, by $value; those that follow are three at most.
    "columns": """\
{{ printf "%.0f" $value }} column{{ if gt $value 1.0 }}s{{ end }}
{{- if gt $value 3.0 }} (the worst are named){{ end }}""",
    # Where it is, which must name one. Needs $of and $found, a query for what was found.
    "on_replicas": """\
{{- $places := printf "count by (instance) (%s)" $found | query }}
{{- $replicas := printf "count(count by (instance) (model_info{%s})) > 1" $of_version | query }}
{{- if eq (len $places) 1 }}, on {{ $places | first | label "instance" }}{{ range $replicas }}, one of {{ printf "%.0f" .Value }}
replicas{{ end }}
{{- else if $places }}, on {{ len $places }}{{ range $replicas }} of {{ printf "%.0f" .Value }}{{ end }} replicas{{ end }}""",
    # The column of a sample. Needs $of; leaves $column, matchers of its series.
    "column": """\
{{- $column := printf "%s,feature=%q,output=%q" $of .Labels.feature .Labels.output }}
{{- with .Labels.feature }} Feature {{ . }}{{ end }}{{ with .Labels.output }} Output {{ . }}{{ end }}""",
    # Where a finding of a window was found. Needs $column, $windows, $kind and $found, a query for the finding; leaves $at
    # (matchers), $window and $samples.
    "at": """\
{{- $at := $column }}{{ $samples := "" }}{{ $window := "" }}
{{- $here := printf "max by (instance, feature, output) (%s)" $found }}
{{- range printf "topk(1, %s{%s,kind=%q} == on (instance, feature, output) group_left () %s)" $windows $column $kind $here | query }}
{{- $window = .Labels.window }}{{ $at = printf "%s,instance=%q,window=%q" $column .Labels.instance $window }}{{ end }}
{{- if $window }}{{ range printf "{__name__=~'model_(feature|prediction)_window_samples',%s}" $at | query }}
{{- $samples = printf "the %.0f " .Value }}{{ end }}{{ end }}""",
    "of_values": """\
of {{ $samples }}values{{ with $window }} of the last {{ reReplaceAll "rows$" " rows" . }}{{ end }}""",
    # Likewise where counters were asked. Needs $column and $kind; leaves $at.
    "of_counted": """\
{{- $time := "1h" }}{{ $at := $column }}
{{- range printf "topk(1, instance_column:model_wrong_values:ratio15m{%s,kind=%q})" $column $kind | query }}
{{- $time = "15m" }}{{ end }}
{{- range printf "topk(1, instance_column:model_wrong_values:told{%s,kind=%q})" $column $kind | query }}
{{- $at = printf "%s,instance=%q" $column .Labels.instance }}{{ end }} {{ .Value | humanizePercentage }} of
{{- range printf "sum(increase({__name__=~'model_(feature|prediction)_values_total',%s}[%s]))" $at $time | query }} the
{{ printf "%.0f" .Value }}{{ end }} values of the last {{ $time }}""",
    # When a model is due for training, or was, and why. Needs $of of its version, and $within: how many seconds ahead.
    "due": """\
{{- range printf "sort((model_reason:model_retrain_due_seconds:left{%s} <= %s) + time())" $of $within | query }}
{{- if eq .Labels.reason "decay" }} by its errors, which grow, and reach what they may be{{ else }} by its calendar
(staleness.retrain_every){{ end }} on {{ (.Value | toTime).Format "2 Jan 2006" }}.{{ end }}""",
    # What the exporter says of a column on a closer look.
    "diagnosis": """\
{{- range printf "topk(1, {__name__=~'model_(feature|prediction)_diagnosis_info',%s})" $column | query }} {{ .Labels.text }}.{{ end }}""",
    # Measures whose whole interval lies beyond the training's value, and by how much. Needs $l and $of; leaves $of_version.
    "measures_below": """\
{{- $of_version := printf "cluster=%q,namespace=%q,job=%q,model=%q,model_version=%q" $l.cluster $l.namespace $l.job $l.model $l.model_version }}
{{- $of_window := printf "window='<<performance.window>>',%s" $of }}
{{- range printf "sort_desc(topk(3, measure_window:model_performance_below_training:points{%s} > 0))" $of_window | query }}
{{ .Labels.measure }} is {{ printf "%.3f" .Value }} below training at least.{{ end }}
{{- range printf "sort_desc(topk(3, measure_window:model_performance_above_training:ratio{%s} > 0))" $of_window | query }}
{{ .Labels.measure }} is {{ .Value | humanizePercentage }} above training at least.{{ end }}""",
    # Why golden requests fail, and which of them. Needs $of.
    "golden_reason": """\
{{- range printf "topk(1, sum by (reason) (increase(model_golden_failures_total{%s}[15m])) > 0)" $of | query }} (mostly by
{{ .Labels.reason }}){{ end }}:""",
    "golden_cases": """\
{{- range $at, $case := printf "topk(3, max by (case) (model_golden_case_failed_times{%s} > 1))" $of | query | sortByLabel "case" }}
{{- if $at }},{{ end }} {{ $case.Labels.case }}{{ else }} too many to be named{{ end }}.""",
    # The dashboard of the uid $board from an hour before $began to two after. Needs $l.
    "dashboard_from": """\
<<urls.grafana>>/d/{{ $board }}?var-model={{ $l.model | urlquery }}
{{- with $l.model_version }}&var-version={{ . | urlquery }}{{ end -}}
&<<text.around>>""",
    "around": """\
from={{ (($began | toTime).Add -3600000000000).UnixMilli }}&to={{ (($began | toTime).Add 7200000000000).UnixMilli }}""",
    # Of alerts about exporters, which may have several models or none. Needs the alert's name as $alert; leaves $began.
    "began_in_job": """\
{{- $of := printf "cluster=%q,namespace=%q,job=%q" $labels.cluster $labels.namespace $labels.job }}
{{- $began := printf "min(last_over_time(ALERTS_FOR_STATE{alertname=%q,%s}[15m])) or vector(time())" $alert $of | query | first | value -}}""",
    "dashboard_of_exporter": """\
<<text.began_in_job>>
<<urls.grafana>>/d/inference-exporter?var-job={{ $labels.job | urlquery }}&<<text.around>>""",
    # The fleet process has a job of its own, which is none of a model.
    "dashboard_of_fleet_process": """\
<<text.began_in_job>>
<<urls.grafana>>/d/model-fleet?<<text.around>>""",
    # The same at the time when the alert began: whoever opens it a day later sees what was to be seen then. Needs $l and
    # $of, the dashboard as $board and the alert's name as $alert.
    "dashboard": """\
{{- $began := printf "min(last_over_time(ALERTS_FOR_STATE{alertname=%q,%s}[15m])) or vector(time())" $alert $of | query | first | value -}}
<<text.dashboard_from>>""",
    # Of alerts about drift: the same from its beginning on, where evidence knows it; an alert may come hours later.
    "dashboard_at_onset": """\
{{- $onsets := "model_feature_drift_onset_timestamp_seconds{%[1]s} or model_prediction_drift_onset_timestamp_seconds{%[1]s} or model_fleet_feature_drift_onset_timestamp_seconds{%[1]s} or model_fleet_prediction_drift_onset_timestamp_seconds{%[1]s}" }}
{{- $began := printf (print "min(" $onsets ") or min(last_over_time(ALERTS_FOR_STATE{alertname=%[2]q,%[1]s}[15m])) or vector(time())") $of $alert | query | first | value -}}
<<text.dashboard_from>>""",
    # Needs $column, the matchers of one feature or output. How much of it moved, since when, on how many replicas, what
    # seems to have happened, and how sure that is: of the replica and window where most moved beyond chance, the first of
    # those that are equal, as the hour and the day of a young replica are. What is not known is left out.
    "moved": """\
{{- $far := printf "model_feature_total_variation{%[1]s} > model_feature_total_variation_critical{%[1]s} and model_feature_window_sufficient{%[1]s} == 1 or (model_prediction_total_variation{%[1]s} > model_prediction_total_variation_critical{%[1]s} and model_prediction_window_sufficient{%[1]s} == 1)" $column }}
{{- $at := "" }}{{ $mark := ":" }}
{{- range printf "100 * (%[1]s) == on () group_left () max(100 * (%[1]s))" $far | query | sortByLabel "instance" | sortByLabel "window" }}
{{- if not $at }}{{ $at = printf "%s,instance=%q,window=%q" $column .Labels.instance .Labels.window }}{{ $mark = "" }}:
{{ printf "%.0f" .Value }} % of its values changed bin{{ end }}{{ end }}
{{- $since := false }}
{{- range printf "min(model_feature_drift_onset_timestamp_seconds{%[1]s} or model_prediction_drift_onset_timestamp_seconds{%[1]s} or model_fleet_feature_drift_onset_timestamp_seconds{%[1]s} or model_fleet_prediction_drift_onset_timestamp_seconds{%[1]s})" $column | query }}
{{- $since = .Value | toTime }}{{ $mark }} since
{{ range printf "time() - %f > bool 43200" .Value | query }}{{ if .Value }}{{ $since.Format "2 Jan " }}{{ end }}{{ end -}}
{{ $since.Format "15:04" }} UTC{{ $mark = "" }}{{ end }}
{{- if $at }}{{ range printf "count(count without (window) (model_feature_total_variation{%[1]s} or model_prediction_total_variation{%[1]s})) > 1" $column | query }}
{{- $all := .Value }}{{ range printf "count(count without (window) (%s))" $far | query }},
{{ .Value }}/{{ $all }} replicas{{ end }}{{ end }}{{ end }}
{{- $change := printf "(model_feature_bin_change_ratio{%[1]s} or model_prediction_bin_change_ratio{%[1]s})" $at }}
{{- $text := printf "max by (bin, text) (model_feature_bin_info{%[1]s} or model_prediction_bin_info{%[1]s})" $column }}
{{- $bin := "" }}
{{- if $at }}{{ range printf "%[1]s * on (bin) group_left () (100 * (%[2]s and abs(%[2]s) == on () group_left () max(abs(%[2]s))))" $text $change | query | sortByLabel "bin" }}
{{- if not $bin }}{{ $bin = .Labels.bin }}, most of
all "{{ .Labels.text }}" ({{ printf "%+.0f" .Value }} points){{ end }}{{ end }}{{ end }}
{{- $said := printf "topk(1, count by (text) (model_feature_diagnosis_info{%[1]s} or model_prediction_diagnosis_info{%[1]s}) or max by (text) (model_fleet_feature_diagnosis_replicas{%[1]s} or model_fleet_prediction_diagnosis_replicas{%[1]s}))" $column }}
{{- range $said | query }}{{ if $mark }}:{{ else }};{{ end }}{{ $mark = "" }}
{{ if $since }}{{ reReplaceAll " since [0-9:]+ UTC( [(][^)]*[)])?" "" .Labels.text }}{{ else }}{{ .Labels.text }}{{ end }}
{{- if gt .Value 1.0 }} ({{ .Value }} replicas say so){{ end }}
{{- else }}
{{- range printf "topk(1, count by (kind, bin, shape) (model_feature_drift_info{%[1]s} or model_prediction_drift_info{%[1]s} or model_fleet_feature_drift_info{%[1]s} or model_fleet_prediction_drift_info{%[1]s}))" $column | query }}{{ if $mark }}:{{ else }};{{ end }}
{{ .Labels.kind }}{{ with .Labels.bin }} (bin {{ . }}){{ end }}{{ with .Labels.shape }}, {{ . }}{{ end }}{{ end }}
{{- end }}
{{- if $at }}{{ range printf "model_feature_psi{%[1]s} or model_prediction_psi{%[1]s}" $at | query }}. PSI
{{ printf "%.2f" .Value }}
{{- range printf "model_feature_psi_critical{%[1]s} or model_prediction_psi_critical{%[1]s}" $at | query }} (noise
{{ printf "%.3f" .Value }}){{ end }}
{{- range printf "model_feature_window_samples{%[1]s} or model_prediction_window_samples{%[1]s}" $at | query }}, n
{{ printf "%.0f" .Value }} in {{ reReplaceAll "rows$" " rows" .Labels.window }}{{ end }}{{ end }}{{ end }}.""",
    # Needs $l and $of. What became of the answers, and of how many rows all of this is said.
    "what_follows": """\
{{- range printf "topk(1, max by (output) (model_prediction_total_variation{%[1]s} and model_prediction_shortest_window_info{%[1]s}))" $of | query }}
{{- $output := printf "%s,output=%q" $of .Labels.output }}{{ $name := .Labels.output }}
{{- range printf "avg(model_prediction_quantile{%[1]s,rank='0.5'} and ignoring (rank) model_prediction_shortest_window_info{%[1]s})" $output | query }}
{{- $now := .Value }}
{{- range printf "max(model_prediction_reference_quantile{%[1]s,rank='0.5'})" $output | query }} Predictions
({{ $name }}, median) {{ printf "%.3g" .Value }} → {{ printf "%.3g" $now }}.{{ end }}{{ end }}{{ end }}
{{- $asked := printf "cluster=%q,namespace=%q,job=%q,model=%q,model_version=%q" $l.cluster $l.namespace $l.job $l.model $l.model_version }}
{{- $site := printf "cluster=%q,namespace=%q,job=%q" $l.cluster $l.namespace $l.job }}
{{- range printf "100 * sum(increase(model_rows_total{%[1]s}[1h])) / (sum(increase(model_served_rows_total{%[1]s}[1h])) > 0) * (1 - sum(increase(inference_exporter_exchanges_dropped_total{%[2]s}[1h])) / (sum(increase(inference_exporter_exchanges_offered_total{%[2]s}[1h])) > 0) or vector(1))" $asked $site | query }} Coverage
{{ printf "%.0f" .Value }} %.{{ end }}""",
}
