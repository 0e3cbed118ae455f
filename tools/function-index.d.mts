export declare function indexFunctions(packed: Buffer): Buffer;
