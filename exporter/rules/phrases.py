"""What many rules say in the same words, written into them as `<<text.NAME>>`.

Templates of Prometheus (Go's text/template with its own functions), each to stand in a block scalar.
"""

from typing import Final

PHRASES: Final = {
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
    # Whose the model is, by $labels; a column's own owner comes first. Never empty: Prometheus' series ALERTS would have
    # the template itself for an empty label.
    "owner": """\
{{- $of := printf "cluster=%q,namespace=%q,job=%q,model=%q"
$labels.cluster $labels.namespace $labels.job $labels.model }}
{{- with $labels.owner }}{{ . }}{{ else }}
{{- $owners := printf "count by (owner) (last_over_time(model_owner_info{%s}[1d]))" $of }}
{{- range printf "topk(1, %s)" $owners | query }}{{ .Labels.owner }}{{ else }}<<owners.default>>{{ end }}{{ end }}""",
    # Needs $l. What is meant, as people say it: "Model churn 7 (models, namespace shop)".
    "the_model": """\
Model {{ $l.model }}{{ with $l.model_version }} {{ . }}{{ end }} ({{ $l.job }}
{{- with $l.namespace }}, namespace {{ . }}{{ end }}
{{- with $l.cluster }}, cluster {{ . }}{{ end }})""",
    # The dashboard at the time when the alert began, an hour before it and two after: whoever opens it a day later sees
    # what was to be seen then. Needs $l and $of, and the alert's name as $alert.
    "dashboard": """\
{{- $began := printf "min(last_over_time(ALERTS_FOR_STATE{alertname=%q,%s}[15m])) or vector(time())" $alert $of | query | first | value -}}
<<urls.grafana>>/d/model-health?var-model={{ $l.model | urlquery }}
{{- with $l.model_version }}&var-version={{ . | urlquery }}{{ end -}}
&from={{ (($began | toTime).Add -3600000000000).UnixMilli }}&to={{ (($began | toTime).Add 7200000000000).UnixMilli }}""",
}
