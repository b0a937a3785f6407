{{/* Names and labels. */}}

{{- define "inference-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "inference-exporter.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 48 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 48 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 48 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "inference-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "inference-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "inference-exporter.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "inference-exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "inference-exporter.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "inference-exporter.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "inference-exporter.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* Settings. */}}

{{- define "inference-exporter.configMapName" -}}
{{- .Values.existingConfigMap | default (include "inference-exporter.fullname" .) }}
{{- end }}

{{- define "inference-exporter.profileConfigMapName" -}}
{{- .Values.profileConfigMap | default (ternary (printf "%s-profile" (include "inference-exporter.fullname" .)) "" (not (empty .Values.profile))) }}
{{- end }}

{{/* exporter.yml. What the pod decides is said by the container's environment, which wins. */}}
{{- define "inference-exporter.commonSettings" -}}
{{- $own := dict }}
{{- if include "inference-exporter.profileConfigMapName" . }}
{{- $_ := set $own "profile" "/etc/inference-exporter/profile.json" }}
{{- end }}
{{- if and .Values.podMonitor.enabled .Values.podMonitor.sampleLimit }}
{{- $_ := set $own "metrics" (dict "sample_limit" (int .Values.podMonitor.sampleLimit)) }}
{{- end }}
{{- toYaml (mergeOverwrite $own (deepCopy (.Values.config | default dict))) }}
{{- end }}

{{- define "inference-exporter.settings" -}}
{{- $own := include "inference-exporter.commonSettings" . | fromYaml }}
{{- $_ := set $own "upstream" (.Values.upstream | default (printf "http://127.0.0.1:%d" (int .Values.server.port))) }}
{{- toYaml $own }}
{{- end }}

{{- define "inference-exporter.sinkSettings" -}}
{{- $own := include "inference-exporter.commonSettings" . | fromYaml }}
{{- $_ := set $own "relay" false }}
{{- if .Values.sink.tokenSecret.name }}
{{- $_ := set $own "events" (mergeOverwrite (dict "token_file" "/etc/inference-exporter-secrets/events-token") ($own.events | default dict)) }}
{{- end }}
{{- toYaml $own }}
{{- end }}

{{- define "inference-exporter.fleetSettings" -}}
{{- $own := dict
  "prometheus" (dict "url" (required "fleet.prometheusUrl: which Prometheus has the sidecars' series?" .Values.fleet.prometheusUrl))
  "web" (dict "listen_address" (printf "0.0.0.0:%d" (int .Values.ports.metrics)))
  "state" (dict "directory" "/var/lib/inference-exporter/fleet")
}}
{{- toYaml (mergeOverwrite $own (deepCopy (.Values.fleet.config | default dict))) }}
{{- end }}

{{/* Where a Service sends clients: a number, since it finds names of a native sidecar's ports from Kubernetes 1.32 on only. */}}
{{- define "inference-exporter.targetPort" -}}
{{- int (ternary .Values.server.port .Values.ports.relay .Values.server.bypass) }}
{{- end }}

{{/* Who may read the metrics, as a rule of a NetworkPolicy: none where nobody may, since a rule without `from` is for all. */}}
{{- define "inference-exporter.metricsRule" -}}
{{- $peers := .Values.networkPolicy.metricsFrom | default list }}
{{- if .Values.tests.enabled }}
{{- $labels := include "inference-exporter.selectorLabels" . | fromYaml | merge (dict "app.kubernetes.io/component" "test") }}
{{- $peers = append $peers (dict "podSelector" (dict "matchLabels" $labels)) }}
{{- end }}
{{- if $peers -}}
- ports:
    - port: {{ int .Values.ports.metrics }}
      protocol: TCP
  from:
{{ toYaml $peers | indent 4 }}
{{- end }}
{{- end }}

{{/* Labels of a pod with the sidecar, by which it is scraped. */}}
{{- define "inference-exporter.podLabels" -}}
inference-exporter/sidecar: "true"
{{- end }}

{{/* Annotations of a pod: what changes in the settings or the profile starts new pods. */}}
{{- define "inference-exporter.podAnnotations" -}}
checksum/inference-exporter: {{ printf "%s%s" (include "inference-exporter.settings" .) .Values.profile | sha256sum }}
{{- end }}

{{/* The sidecar. `container` goes below `containers`, `initContainer` below `initContainers`; both need `volumes`. */}}

{{- define "inference-exporter.container" -}}
name: inference-exporter
image: {{ include "inference-exporter.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{ include "inference-exporter.command" . }}
  - name: INFERENCE_EXPORTER_LISTEN
    value: 0.0.0.0:{{ int .Values.ports.relay }}
  # A native sidecar is told when the model server has gone, and there is nobody to wait for; an ordinary one together with it.
  - name: INFERENCE_EXPORTER_DRAIN_DELAY
    value: {{ ternary 0 (int .Values.drainSeconds) .Values.nativeSidecar }}s
  - name: INFERENCE_EXPORTER_DRAIN_TIMEOUT
    value: {{ .Values.drainTimeout | default (ternary "5s" "15s" .Values.nativeSidecar) }}
ports:
  - name: relay
    containerPort: {{ int .Values.ports.relay }}
  - name: metrics
    containerPort: {{ int .Values.ports.metrics }}
  - name: health
    containerPort: {{ int .Values.ports.health }}
{{ include "inference-exporter.probes" . }}
{{ include "inference-exporter.confined" . }}
{{- end }}

{{/* An older Kubernetes would take it for an ordinary init container and wait for its end for ever. */}}
{{- define "inference-exporter.initContainer" -}}
{{- if semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version }}
{{- fail (printf "nativeSidecar: Kubernetes %s has no native sidecars, 1.29 and newer have: set it to false" .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- include "inference-exporter.container" . }}
restartPolicy: Always
{{- end }}

{{- define "inference-exporter.command" -}}
args:
  - serve
  - --config
  - /etc/inference-exporter/exporter.yml
{{- with .Values.extraArgs }}
{{ toYaml . | indent 2 }}
{{- end }}
env:
{{- if ne (int .Values.ports.metrics) 9877 }}
  - name: INFERENCE_EXPORTER_WEB_LISTEN_ADDRESS
    value: 0.0.0.0:{{ int .Values.ports.metrics }}
{{- end }}
{{- if ne (int .Values.ports.health) 9878 }}
  - name: INFERENCE_EXPORTER_HEALTH_LISTEN_ADDRESS
    value: 0.0.0.0:{{ int .Values.ports.health }}
{{- end }}
  - name: INFERENCE_EXPORTER_STATE_DIRECTORY
    value: /var/lib/inference-exporter/windows
  - name: INFERENCE_EXPORTER_ANALYSER_MEMORY_LIMIT
    value: {{ .Values.analyserMemoryLimit }}
{{- with .Values.extraEnv }}
{{ toYaml . | indent 2 }}
{{- end }}
{{- end }}

{{/* Answered by the supervisor: they depend neither on the analyser nor on the model server. */}}
{{- define "inference-exporter.probes" -}}
startupProbe:
  httpGet:
    path: /-/healthy
    port: health
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet:
    path: /-/healthy
    port: health
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet:
    path: /-/ready
    port: health
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}

{{- define "inference-exporter.confined" -}}
resources:
{{ toYaml .Values.resources | indent 2 }}
securityContext:
{{ toYaml .Values.securityContext | indent 2 }}
volumeMounts:
  - name: inference-exporter
    mountPath: /etc/inference-exporter
    readOnly: true
  - name: inference-exporter-state
    mountPath: /var/lib/inference-exporter
{{- with .Values.extraVolumeMounts }}
{{ toYaml . | indent 2 }}
{{- end }}
{{- end }}

{{- define "inference-exporter.volumes" -}}
{{ include "inference-exporter.volumesOf" (list . (include "inference-exporter.configMapName" .)) }}
{{- end }}

{{/* Of a list: the context, and the ConfigMap of the settings. */}}
{{- define "inference-exporter.volumesOf" -}}
{{- $context := index . 0 -}}
- name: inference-exporter
  projected:
    sources:
      - configMap:
          name: {{ index . 1 }}
{{- with include "inference-exporter.profileConfigMapName" $context }}
      - configMap:
          name: {{ . }}
{{- end }}
{{ include "inference-exporter.stateVolume" $context }}
{{- with $context.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* No sizeLimit: a pod that exceeds one is evicted, with its model. What is written there is bounded anyway. */}}
{{- define "inference-exporter.stateVolume" -}}
- name: inference-exporter-state
  emptyDir: {}
{{- end }}

{{/* Of pods that this chart makes. */}}
{{- define "inference-exporter.pod" -}}
automountServiceAccountToken: false
# Nobody needs the variables of Services, and a Service may be named like one of ours.
enableServiceLinks: false
serviceAccountName: {{ include "inference-exporter.serviceAccountName" . }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{ toYaml . | indent 2 }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
{{ toYaml . | indent 2 }}
{{- end }}
{{- end }}

{{- define "inference-exporter.placement" -}}
{{- range $name := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" }}
{{- with index $ $name }}
{{ $name }}:
{{ toYaml . | indent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* Routes of Alertmanager as JSON: those of the example's owner are there for each owner. Of a dict: routes, owners. */}}
{{- define "inference-exporter.routes" -}}
{{- $made := list }}
{{- range $route := .routes }}
{{- $text := toJson $route }}
{{- $matchers := toJson $route.matchers }}
{{- if contains "\"name\":\"owner\"" $matchers }}
{{- range $owner := $.owners }}
{{- $made = append $made ($text | replace "payments" $owner | fromJson) }}
{{- end }}
{{- else }}
{{- $kept := omit $route "routes" }}
{{- with $route.routes }}
{{- $inner := include "inference-exporter.routes" (dict "routes" . "owners" $.owners) | fromJsonArray }}
{{- if $inner }}
{{- $_ := set $kept "routes" $inner }}
{{- end }}
{{- end }}
{{- $made = append $made $kept }}
{{- end }}
{{- end }}
{{- toJson $made }}
{{- end }}
