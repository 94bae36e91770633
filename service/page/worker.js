/** Keeps the page on the device. */
