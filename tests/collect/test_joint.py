"""Several models on one page: each family once, samples side by side, and sums where no model is named."""

import exposed

from exporter.collect.exposition import Distributions, Samples
from exporter.collect.joint import joined
from exporter.families import COUNTER, GAUGE, HISTOGRAM, Family
from exporter.snapshots import Histogram

OF_MODELS = Family("model_x", GAUGE, ("model",), "X.")
DURATION = Family("model_d_seconds", HISTOGRAM, ("model",), "D.")
OF_ALL = Family("inference_exporter_y_total", COUNTER, ("side",), "Y.")


def part(model: str, value: int) -> list[Samples | Distributions]:
    return [
        Samples(OF_MODELS, [((model,), value)]),
        Distributions(DURATION, (0.5,), [((model,), Histogram((value, 0), 0.1))]),
        Samples(OF_ALL, [(("in",), value), (("out",), 1)]),
    ]


def test_samples_of_models_stand_side_by_side_and_the_rest_is_added_up() -> None:
    text = exposed.render(joined([(True, part("a", 1)), (True, part("b", 2)), (True, [])])).decode()
    assert text.count("# TYPE") == 3
    for line in ('model_x{model="a"} 1', 'model_x{model="b"} 2', 'model_d_seconds_count{model="a"} 1',
                 'model_d_seconds_count{model="b"} 2', 'inference_exporter_y_total{side="in"} 3',
                 'inference_exporter_y_total{side="out"} 2'):  # fmt: skip
        assert f"{line}\n" in text


def test_who_is_not_visible_counts_where_things_are_added_up_and_nowhere_else() -> None:
    text = exposed.render(joined([(False, part("hidden", 5)), (True, part("a", 1))])).decode()
    assert "hidden" not in text
    assert 'inference_exporter_y_total{side="in"} 6\n' in text
    only = joined([(False, part("hidden", 5))])
    assert [item.family for item in only] == [OF_ALL]
    assert not list(joined([]))
