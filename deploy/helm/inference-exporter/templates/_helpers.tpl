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

{{/* What all modes have in common. */}}
{{- define "inference-exporter.commonSettings" -}}
{{- $own := dict
  "web" (dict "listen_address" (printf "0.0.0.0:%d" (int .Values.ports.metrics)))
  "health" (dict "listen_address" (printf "0.0.0.0:%d" (int .Values.ports.health)))
  "state" (dict "directory" "/var/lib/inference-exporter")
  "analyser" (dict "memory_limit" .Values.analyserMemoryLimit)
}}
{{- if include "inference-exporter.profileConfigMapName" . }}
{{- $_ := set $own "profile" "/etc/inference-exporter/profile.json" }}
{{- end }}
{{- if and .Values.podMonitor.enabled .Values.podMonitor.sampleLimit }}
{{- $_ := set $own "metrics" (dict "sample_limit" (int .Values.podMonitor.sampleLimit)) }}
{{- end }}
{{- toYaml $own }}
{{- end }}

{{- define "inference-exporter.settings" -}}
{{- $own := include "inference-exporter.commonSettings" . | fromYaml }}
{{- $_ := set $own "upstream" .Values.upstream }}
{{- $_ := set $own "listen" (printf "0.0.0.0:%d" (int .Values.ports.relay)) }}
{{- $_ := set $own "drain" (dict "delay" (ternary "0s" (printf "%ds" (int .Values.drainSeconds)) .Values.nativeSidecar)) }}
{{- toYaml (mergeOverwrite $own (deepCopy .Values.config)) }}
{{- end }}

{{- define "inference-exporter.sinkSettings" -}}
{{- $own := include "inference-exporter.commonSettings" . | fromYaml }}
{{- $_ := set $own "relay" false }}
{{- if .Values.sink.tokenSecret.name }}
{{- $_ := set $own "events" (dict "token_file" "/etc/inference-exporter-secrets/events-token") }}
{{- end }}
{{- toYaml (mergeOverwrite $own (deepCopy .Values.config)) }}
{{- end }}

{{- define "inference-exporter.fleetSettings" -}}
{{- $own := dict
  "prometheus" (dict "url" (required "fleet.prometheusUrl: which Prometheus has the sidecars' series?" .Values.fleet.prometheusUrl))
  "web" (dict "listen_address" (printf "0.0.0.0:%d" (int .Values.ports.metrics)))
  "state" (dict "directory" "/var/lib/inference-exporter")
}}
{{- toYaml (mergeOverwrite $own (deepCopy .Values.fleet.config)) }}
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
args:
  - serve
  - --config=/etc/inference-exporter/exporter.yml
{{- with .Values.extraArgs }}
{{ toYaml . | indent 2 }}
{{- end }}
{{- with .Values.extraEnv }}
env:
{{ toYaml . | indent 2 }}
{{- end }}
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

{{- define "inference-exporter.initContainer" -}}
{{ include "inference-exporter.container" . }}
restartPolicy: Always
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
  failureThreshold: 3
readinessProbe:
  httpGet:
    path: /-/ready
    port: health
  periodSeconds: 5
  timeoutSeconds: 3
{{- end }}

{{- define "inference-exporter.confined" -}}
resources:
{{ toYaml .Values.resources | indent 2 }}
securityContext:
{{ toYaml .Values.securityContext | indent 2 }}
volumeMounts:
  - name: inference-exporter-config
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
- name: inference-exporter-config
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

{{- define "inference-exporter.stateVolume" -}}
- name: inference-exporter-state
  emptyDir:
    sizeLimit: {{ .Values.state.sizeLimit }}
{{- end }}

{{/* Of pods that this chart makes. */}}
{{- define "inference-exporter.pod" -}}
automountServiceAccountToken: false
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
{{- range $name := list "nodeSelector" "tolerations" "affinity" }}
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
