//! Mandarin (and English) synthesis: Kokoro-82M, and its pinyin front end.
