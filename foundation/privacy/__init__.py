"""Personal data that leaves its mask: full views, exports, legal holds, and the assessment that the law asks for."""
