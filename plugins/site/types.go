package site

import (
	"path"
	"strings"
)

// types are the types of content by the ends of names. The system's own list is not
// asked: it differs from host to host. What is not here is told by its first bytes.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8",
	".xhtml": "application/xhtml+xml",
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".json": "application/json", ".map": "application/json", ".webmanifest": "application/manifest+json",
	".xml": "text/xml; charset=utf-8", ".rss": "application/rss+xml", ".atom": "application/atom+xml",
	".txt": "text/plain; charset=utf-8", ".asc": "text/plain; charset=utf-8", ".log": "text/plain; charset=utf-8",
	".md": "text/markdown; charset=utf-8", ".csv": "text/csv; charset=utf-8", ".vtt": "text/vtt; charset=utf-8",
	".svg": "image/svg+xml", ".wasm": "application/wasm",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
	".webp": "image/webp", ".avif": "image/avif", ".jxl": "image/jxl", ".ico": "image/x-icon", ".bmp": "image/bmp",
	".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf",
	".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".flac": "audio/flac", ".m4a": "audio/mp4",
	".wav": "audio/wav", ".mp4": "video/mp4", ".webm": "video/webm", ".mkv": "video/x-matroska", ".ogv": "video/ogg",
	".pdf": "application/pdf", ".epub": "application/epub+zip", ".torrent": "application/x-bittorrent",
	".zip": "application/zip", ".gz": "application/gzip", ".tgz": "application/gzip", ".xz": "application/x-xz",
	".bz2": "application/x-bzip2", ".zst": "application/zstd", ".tar": "application/x-tar", ".7z": "application/x-7z-compressed",
	".br": "application/octet-stream", ".su3": "application/x-i2p-su3", ".bin": "application/octet-stream",
}

// typeOf is the type of a file by its name, or otherwise.
func typeOf(name, otherwise string) string {
	if t, ok := types[strings.ToLower(path.Ext(name))]; ok {
		return t
	}
	return otherwise
}

// compressible reports whether content of a type becomes much smaller by
// compression.
func compressible(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	switch kind {
	case "application/json", "application/wasm", "image/svg+xml", "image/x-icon", "image/bmp", "font/ttf", "font/otf":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+xml") || strings.HasSuffix(kind, "+json")
}
