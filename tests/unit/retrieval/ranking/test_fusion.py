import pytest

from retrieval.ranking.fusion import Fusion, FusionMethod, Ranking, fuse

METHODS = list(FusionMethod)
DENSE = ((1, 0.8), (2, 0.7), (3, 0.4), (4, 0.3))
SPARSE = ((3, 9.0), (2, 8.0), (5, 2.0))
SIMILARITIES = {**dict(DENSE), 5: 0.1}


def order(
    *rankings: Ranking, method: FusionMethod = FusionMethod.CONVEX, similarities: dict[int, float] = SIMILARITIES
) -> list[int]:
    return [key for key, _ in fuse(rankings, similarities, Fusion(method))]


@pytest.mark.parametrize("method", METHODS)
def test_what_both_views_find_comes_first_and_nothing_is_lost(method: FusionMethod) -> None:
    found = order(Ranking("dense", DENSE), Ranking("sparse", SPARSE), method=method)
    assert found[0] in (2, 3)
    assert sorted(found) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("method", METHODS)
def test_words_that_find_nothing_leave_the_order_of_the_vectors(method: FusionMethod) -> None:
    assert order(Ranking("dense", DENSE), Ranking("sparse", ()), method=method) == [1, 2, 3, 4]


@pytest.mark.parametrize("method", [one for one in METHODS if one is not FusionMethod.RECIPROCAL_RANK])
def test_words_that_all_passages_have_alike_leave_the_order_of_the_vectors(method: FusionMethod) -> None:
    alike = Ranking("sparse", ((4, 3.0), (3, 3.0), (2, 3.0), (1, 3.0)))
    assert order(Ranking("dense", DENSE), alike, method=method) == [1, 2, 3, 4]


@pytest.mark.parametrize("method", METHODS)
def test_each_view_alone_keeps_its_order(method: FusionMethod) -> None:
    assert order(Ranking("dense", DENSE), method=method) == [1, 2, 3, 4]
    assert order(Ranking("sparse", SPARSE), method=method, similarities={}) == [3, 2, 5]
    assert order(Ranking("dense", ()), Ranking("sparse", ()), method=method, similarities={}) == []


@pytest.mark.parametrize("method", METHODS)
def test_a_single_passage_and_scores_of_zero_are_ranked(method: FusionMethod) -> None:
    assert order(
        Ranking("dense", ((7, 0.0),)), Ranking("sparse", ((7, 0.0),)), method=method, similarities={7: 0.0}
    ) == [7]
    assert order(Ranking("dense", ((7, -0.2), (8, -0.3))), method=method, similarities={7: -0.2, 8: -0.3}) == [7, 8]


def test_one_lucky_word_does_not_outweigh_a_passage_that_is_far_closer() -> None:
    close = [(key, 0.8 - key / 1000) for key in range(100)]
    similarities = {**dict(close), 500: -0.1}
    found = order(Ranking("dense", tuple(close)), Ranking("sparse", ((500, 4.0),)), similarities=similarities)
    assert found.index(500) > 0


def test_what_only_words_found_is_ranked_by_its_own_similarity() -> None:
    sparse = Ranking("sparse", ((5, 6.0), (6, 6.0)))
    near = order(Ranking("dense", DENSE), sparse, similarities={**dict(DENSE), 5: 0.1, 6: 0.29})
    assert near.index(6) < near.index(5)


def test_a_foreign_query_is_ranked_by_its_words() -> None:
    fusion = Fusion().weighted(0.001)
    found = fuse([Ranking("dense", DENSE), Ranking("sparse", SPARSE)], SIMILARITIES, fusion)
    assert [key for key, _ in found[:3]] == [3, 2, 5]


def test_a_share_of_one_is_the_dense_view_alone_and_of_zero_the_sparse_one() -> None:
    rankings = [Ranking("dense", DENSE), Ranking("sparse", SPARSE)]
    assert [key for key, _ in fuse(rankings, SIMILARITIES, Fusion(dense_share=1.0))][:4] == [1, 2, 3, 4]
    assert [key for key, _ in fuse(rankings, SIMILARITIES, Fusion(dense_share=0.0))][:3] == [3, 2, 5]


def test_rewordings_share_the_weight_of_their_view() -> None:
    reworded = Ranking("dense", ((4, 0.9), (1, 0.2)))
    alone = order(Ranking("dense", DENSE), Ranking("sparse", SPARSE))
    ignored = order(Ranking("dense", DENSE), Ranking("dense", reworded.found, weight=0.0), Ranking("sparse", SPARSE))
    assert ignored == alone
    both = order(Ranking("dense", DENSE), reworded)
    assert both.index(4) < order(Ranking("dense", DENSE)).index(4)


def test_what_an_embedder_calls_unrelated_counts_as_nothing() -> None:
    """An embedder whose cosines all lie between .7 and .9 tells as much as one that uses the whole range."""
    wide = {1: 0.8, 2: 0.6, 3: 0.1}
    narrow = {key: 0.7 + 0.3 * similarity for key, similarity in wide.items()}
    sparse = Ranking("sparse", SPARSE)
    scores = fuse([Ranking("dense", tuple(wide.items())), sparse], {**wide, 5: 0.0}, Fusion())
    shifted = fuse([Ranking("dense", tuple(narrow.items())), sparse], {**narrow, 5: 0.7}, Fusion(unrelated=0.7))
    assert [key for key, _ in shifted] == [key for key, _ in scores]
    assert [score for _, score in shifted] == pytest.approx([score for _, score in scores])


def test_equal_scores_come_in_a_fixed_order() -> None:
    rows = ((9, 0.5), (4, 0.5), (6, 0.5))
    assert order(Ranking("dense", rows), similarities=dict(rows)) == [4, 6, 9]
