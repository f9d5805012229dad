"""A web that is drawn: made-up words, topics, pages that link as encyclopedias do. For tests and first steps."""

import numpy as np

from torchvin.data.corpora.corpus import Corpus, PageDraft, build_corpus

_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
_PER_TOPIC = 25


def generate_web(num_pages: int = 200, *, seed: int = 0) -> Corpus:
    """A web of made-up pages.

    Every page has a few words of its own and shares others with its topic. It links to pages of its topic, to some
    elsewhere and to the first page of every topic it touches; its sentences name what it links to.

    Args:
        num_pages: at least 2.
        seed: decides everything.

    >>> web = generate_web(50, seed=1)
    >>> len(web), web.num_links > 100, len(web.sentences[0]) >= 12
    (50, True, True)
    """
    rng = np.random.default_rng((seed, 21))
    topics = np.arange(num_pages) // _PER_TOPIC
    of_topic = [[_word(rng) for _ in range(12)] for _ in range(int(topics[-1]) + 1)]
    common = [_word(rng) for _ in range(60)]
    names = [f"{_word(rng)}{number}" for number in range(num_pages)]
    own = [[_word(rng) for _ in range(8)] for _ in range(num_pages)]
    drafts = {}
    for page in range(num_pages):
        near = np.flatnonzero(topics == topics[page])
        links = {int(rng.choice(near)) for _ in range(4)} | {int(rng.integers(num_pages))} | {int(near[0])}
        if page == near[0]:  # the first page of a topic leads to those of others
            links |= {int(np.flatnonzero(topics == other)[0]) for other in rng.integers(topics[-1] + 1, size=3)}
            links |= {int(rng.choice(near)) for _ in range(6)}
        links -= {page}
        mentioned = [names[link] for link in sorted(links)]
        sentences = []
        for _ in range(16):
            found = [*rng.choice(own[page], 3), *rng.choice(of_topic[topics[page]], 3), *rng.choice(common, 4)]
            found += [str(rng.choice(mentioned))] if mentioned and rng.random() < 0.4 else []
            found += [names[page]] if rng.random() < 0.2 else []
            sentences.append(" ".join(str(found[place]) for place in rng.permutation(len(found))).capitalize() + ".")
        drafts[names[page]] = PageDraft(
            names[page],
            sentences,
            links=[(names[link], names[link]) for link in sorted(links)],
            categories=[f"topic {topics[page]}"],
        )
    return build_corpus(drafts, f"a generated web (seed {seed})")


def _word(rng: np.random.Generator) -> str:
    return "".join(rng.choice(_SYLLABLES, size=3))
