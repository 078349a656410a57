/** The reference's numbering that servers gate features by; not our product version (decision 9). Apart, because it needs no zod. */
export const WIRE_VERSION = "0.4.24";
