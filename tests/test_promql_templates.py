"""The reader of templates finds the labels they use and the queries they ask, whole as Prometheus gets them."""

import promql
import pytest
from promql_templates import Template


def asked(text: str) -> list[tuple[str, set[str]]]:
    return [(one.query, set(one.labels)) for one in Template(text).asked()]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ('{{ query "up" }}', "up"),
        ('{{ range query "up == 1" }}x{{ end }}', "up == 1"),
        ('{{ with printf "up{a=%q}" $labels.job | query }}x{{ end }}', 'up{a="x"}'),
        ('{{ $of := printf "a=%q,b=%q" $labels.c $labels.d }}{{ printf "e{%s}" $of | query | first | value }}',
         'e{a="x",b="x"}'),
        ('{{- $q := "sum(up)" -}} {{ range $q | query }}x{{ end }}', "sum(up)"),
        ('{{ printf "%[1]s / %[2]s > %[1]s" "a" "b" | query }}', "a / b > a"),
        ('{{ printf "%s %[1]s" "a" | query }}', "a a"),
        ('{{ printf (print "min(" "%s" ") or b") "a" | query }}', "min(a) or b"),
        ('{{ printf "a{b=\'%s\'} > %.2f %% %q" "c" 5 "d" | query }}', "a{b='c'} > 1 % \"d\""),
        ('{{ printf "a{b=\\"c\\"}" | query }}', 'a{b="c"}'),
        ('{{ if (printf "up{%s}" "" | query) }}x{{ end }}', "up{}"),
        ('{{ $x := printf "a" }}{{ $x = printf "%s or b" $x }}{{ query $x }}', "a or b"),
        ('{{ if 1 }}{{ $x := "(a" }}{{ $x = printf "%s)" $x }}{{ query $x }}{{ end }}', "(a)"),
        ('{{ $w := "" }}{{ range query "up" }}{{ $w = .Labels.job }}{{ end }}{{ printf "a{b=%q}" $w | query }}',
         'a{b="x"}'),
    ],
)  # fmt: skip
def test_a_query_is_what_its_parts_make(text: str, query: str) -> None:
    assert asked(text)[-1][0] == query


def test_where_a_variable_may_be_one_of_several_each_is_tried() -> None:
    text = '{{ $x := "a" }}{{ if $labels.b }}{{ $x = "b" }}{{ end }}{{ query $x }}'
    assert [query for query, _ in asked(text)] == ["a", "b"]


def test_labels_of_the_alert_are_told_from_those_it_is_only_asked_for() -> None:
    template = Template(
        "{{ $l := $labels }}{{ $l.a }}{{ with $labels.b }}{{ . }}{{ end }}"
        "{{ if eq $l.c $labels.d }}{{ $labels.e }}{{ end }}"
    )
    assert (template.labels, template.guards) == ({"a", "e"}, {"b", "c", "d"})


def test_labels_of_a_query_are_those_used_where_it_is_gone_through() -> None:
    text = (
        '{{ range query "a" }}{{ .Labels.one }}{{ with .Labels.two }}{{ . }}{{ end }}'
        '{{ range query "b" }}{{ .Labels.three }}{{ else }}{{ .Value }}{{ end }}{{ .Labels.four }}{{ end }}'
        '{{ range $at, $one := query "c" }}{{ range query "d" }}{{ $one.Labels.five }}{{ end }}{{ end }}'
    )
    assert asked(text) == [("a", {"one", "two", "four"}), ("b", {"three"}), ("c", {"five"}), ("d", set())]


@pytest.mark.parametrize(
    ("text", "uses"),
    [("{{ $value | humanize }}", True), ("{{ .Value }}", False), ("{{ if gt $value 1.0 }}a{{ end }}", True)],
)
def test_whether_the_value_is_used_is_known(text: str, uses: bool) -> None:
    assert Template(text).uses_value == uses


def test_what_is_asked_for_parses_where_braces_stand_in_texts() -> None:
    text = "{{ range printf \"model_info{model=%q} * on (job) {__name__=~'a|b'}\" $labels.model | query }}{{ end }}"
    [(query, _)] = asked(text)
    assert promql.read(query).metrics == {"model_info"}
