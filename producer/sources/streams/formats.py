"""What FFmpeg may use for a source: an allow-list of protocols and of readers, by the scheme of its address.

FFmpeg knows a hundred formats. Some are lists that name files of this machine, or addresses of its network, and a list
may be called anything: `.mkv`, `.m3u8`. Here are those that hold their own video.
"""

VIDEO = (
    "matroska,webm,mov,mp4,avi,flv,live_flv,mpegts,mpeg,mpegvideo,m4v,h261,h263,h264,hevc,vvc,av1,obu,ivf,vc1,dirac,"
    "cavsvideo,avs2,avs3,dnxhd,asf,asf_o,wtv,ogg,nut,rm,mxf,gxf,lxf,dv,mjpeg,mjpeg_2000,smjpeg,mpjpeg,ingenient,gif,apng,"
    "jpegxl_anim,swf,nuv,nsv,dhav,mtv,yuv4mpegpipe,flic,bink,smk,roq,film_cpk,filmstrip,cine,ipu,pva,ty,vivo,xmv,"
    "4xm,ea,wc3movie,pmp,psxstr,thp,rpl,mm,mv,bfi,c93,idcin,dxa,iv8,lmlm4,ipmovie,anm,dsicin,hnm,cdxl,bmv"
)
HLS = "hls,mpegts,mov,mp4,aac,ac3,eac3,mp3,flac,webvtt"
"""The playlist itself, what RFC 8216 allows in its segments, and the sound and the subtitles beside it."""

_ALLOWED = {  # protocols; readers
    "file": ("file", VIDEO),
    "http": ("http,https", VIDEO),  # our own client speaks it, see `web`
    "rtsp": ("rtsp,tcp,udp,rtp", "rtsp"),
    "rtsps": ("rtsp,tls,tcp", "rtsp"),
    "rtmp": ("rtmp,tcp", "flv,live_flv"),
    "rtmps": ("rtmps,tls,tcp", "flv,live_flv"),
}


def allowed(scheme: str, *, playlist: bool = False) -> dict[str, str]:
    """FFmpeg's options that allow what an address of this scheme needs, and nothing else."""
    protocols, readers = _ALLOWED["http" if scheme == "https" else scheme]
    return {"protocol_whitelist": protocols, "format_whitelist": HLS if playlist else readers}
