// Package sambridge measures the SAM bridge of package plugins/sambridge, and does to it
// what strangers might: through real routers beside their own bridge, with thousands of
// streams and hundreds of sessions, and with clients that mean harm. What a client may
// say, and what is answered, is package samconform's.
package sambridge
