/** The build gathers imported styles into one. */
declare module '*.css';
