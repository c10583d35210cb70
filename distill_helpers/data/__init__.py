"""Reviews in four parts that share nothing, and as batches of token ids."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "active": ["choose", "doubt"],
        "augment": [
            "asked",
            "back_translations",
            "crop",
            "drop",
            "splice",
            "synonyms",
            "translated",
            "views",
        ],
        "cards": ["CardQuestion", "Cards", "draw_cards", "drop_senses"],
        "class_order": ["ClassNamesError", "class_order", "config_names", "real_names"],
        "cleaning": ["clean_text", "has_content", "signature", "text_hash"],
        "completions": [
            "TooLongError",
            "context_of",
            "encode_completions",
            "encode_prompts",
        ],
        "deidentifying": ["deidentify", "find_personal", "read_placed"],
        "duplicates": ["alike_but_for_numbers", "duplicate_groups", "jaccard"],
        "encoding": [
            "DistillationCollator",
            "EncodedReviews",
            "LengthGroupedSampler",
            "device_of",
            "encode_reviews",
            "encode_texts",
            "length_grouped",
            "to_device",
        ],
        "imdb": [
            "fetch_imdb",
            "imdb_cache",
            "imdb_is_local",
            "imdb_mirror",
            "imdb_named",
        ],
        "leaks": ["Leak", "Leaks", "find_leaks", "without_leaks"],
        "personal": ["Mark", "find_forms", "replace_marks"],
        "pseudo": ["PseudoLabels", "pseudo_labels"],
        "report": ["LoadReport"],
        "reviews": ["ReviewDict", "fingerprint", "load_reviews"],
        "sources": ["whole_imdb", "whole_sample"],
        "splits": ["PARTS"],
        "swaps": ["NAMES", "PEOPLE", "PRONOUNS", "Swaps", "swapped_copies"],
        "table_files": ["is_table_file", "read_table"],
        "typos": ["Speller", "mistype", "swap_neighbours"],
        "vocabulary": ["check_same_vocabulary", "same_vocabulary"],
    },
)
