"""That Unstructured works without a network and tells nobody."""

from ingestion.parsing.markup.unstructured_offline import prepare_unstructured


def test_unstructured_reports_nothing_and_fetches_no_model() -> None:
    prepare_unstructured()
    from unstructured.nlp.tokenize import _get_nlp
    from unstructured.utils import _telemetry_opt_out

    assert _telemetry_opt_out()
    assert _get_nlp().pipe_names == ["sentencizer", "footnote_assume_verbs"]
