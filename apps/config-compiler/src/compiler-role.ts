/** `standby`: another compiler is active. `loading`: this one has become active and reads the catalogue. */
export type CompilerRole = "standby" | "loading" | "active";
